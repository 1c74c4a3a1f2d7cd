resource "google_firestore_database" "events" {
  count = var.create_database ? 1 : 0

  project                 = var.project_id
  name                    = var.database
  location_id             = var.region
  type                    = "FIRESTORE_NATIVE"
  delete_protection_state = "DELETE_PROTECTION_DISABLED"
  deletion_policy         = "DELETE" # otherwise it would stay, with all that people sent

  depends_on = [google_project_service.used]
}

# Bodies, and what nobody asks for: an index of them would be stored, and billed. Only expiry is asked for.
resource "google_firestore_field" "unindexed" {
  for_each = toset(["a", "b", "o", "t"])

  project    = var.project_id
  database   = var.database
  collection = var.collection
  field      = each.value

  index_config {}

  depends_on = [google_firestore_database.events]
}

resource "google_firestore_field" "expiry" {
  count = var.native_ttl ? 1 : 0 # each deletion is billed, from the first

  project    = var.project_id
  database   = var.database
  collection = var.collection
  field      = "e"

  ttl_config {}

  depends_on = [google_firestore_database.events]
}

resource "google_storage_bucket" "blobs" {
  count = var.blobs == "" ? 0 : 1

  project                     = var.project_id
  name                        = var.blobs
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  # An object's custom time is when the last of its records has expired.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_custom_time = 1
    }
  }

  soft_delete_policy {
    retention_duration_seconds = 0 # what is deleted would be kept for a week more, and billed
  }

  depends_on = [google_project_service.used]
}
