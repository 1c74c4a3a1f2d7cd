resource "google_storage_bucket" "source" {
  project                     = var.project_id
  name                        = var.source_bucket
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  depends_on = [google_project_service.used]
}

resource "google_storage_bucket_object" "source" {
  # Another content is another name, which has the functions built anew. Gone is fine for what is removed.
  name   = "functions-${fileexists(var.package) ? filemd5(var.package) : "none"}.zip"
  bucket = google_storage_bucket.source.name
  source = var.package
}

# Every build leaves an image, and half a GB is free.
resource "google_artifact_registry_repository" "images" {
  project       = var.project_id
  location      = var.region
  repository_id = local.name
  format        = "DOCKER"
  labels        = local.labels

  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 1
    }
  }

  cleanup_policies {
    id     = "delete-what-is-older"
    action = "DELETE"

    condition {
      older_than = "86400s"
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_cloudfunctions2_function" "this" {
  for_each = var.functions

  project  = var.project_id
  location = var.region
  name     = each.value.name
  labels   = local.labels

  build_config {
    runtime           = var.runtime
    entry_point       = each.key == "consume" ? "consume" : "run"
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.build.id

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    available_memory                 = "${var.memory}Mi"
    timeout_seconds                  = each.key == "consume" ? var.consume_timeout : var.timeout
    min_instance_count               = 0
    max_instance_count               = each.key == "consume" ? 10 : 1
    max_instance_request_concurrency = 1           # drivers are for one call at a time
    ingress_settings                 = "ALLOW_ALL" # and nobody but the invoker is let in
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.function[each.key].email

    environment_variables = {
      GOOGLE_CLOUD_PROJECT = var.project_id
    }

    dynamic "secret_environment_variables" {
      for_each = each.value.role == "reporter" ? var.secrets : {}

      content {
        project_id = var.project_id
        key        = secret_environment_variables.key
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }
  }

  depends_on = [google_project_iam_member.build, google_secret_manager_secret_iam_member.reporter]
}
