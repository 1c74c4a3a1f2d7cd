terraform {
  required_version = ">= 1.6"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0" # what its documentation was read for; the module has not been applied
    }
  }
}

data "google_project" "this" {
  project_id = var.project_id
}

locals {
  name   = "tuppence-${var.project}"
  number = data.google_project.this.number
  place  = "project ${var.project_id}, ${var.region}"
  event  = contains(keys(var.functions), "consume")
  labels = merge({ project = var.project }, var.labels)
  pubsub = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# They stay enabled when all else is removed: others may use them, and they cost nothing.
resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ])

  project            = var.project_id
  service            = each.value
  disable_on_destroy = false
}
