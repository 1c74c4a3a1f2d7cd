resource "google_pubsub_topic" "events" {
  project = var.project_id
  name    = var.queue
  labels  = local.labels

  depends_on = [google_project_service.used]
}

resource "google_pubsub_topic" "dead_letters" {
  project = var.project_id
  name    = var.dead_letters
  labels  = local.labels

  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription" "events" {
  project                    = var.project_id
  name                       = var.queue
  topic                      = google_pubsub_topic.events.id
  enable_message_ordering    = var.ordered
  ack_deadline_seconds       = var.consume_timeout # of a push, how long its answer may take
  message_retention_duration = "604800s"           # a week, and then it is lost
  labels                     = local.labels

  expiration_policy {
    ttl = "" # never: 31 days without a reader would remove it
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 20 # a net only: tuppence sets aside what cannot be read the first time it sees it
  }

  dynamic "push_config" {
    for_each = local.event ? [var.functions["consume"].url] : []

    content {
      push_endpoint = push_config.value

      oidc_token {
        service_account_email = google_service_account.invoke.email
        audience              = push_config.value
      }
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.invoke, google_service_account_iam_member.pubsub]
}

resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project_id
  name                       = var.dead_letters
  topic                      = google_pubsub_topic.dead_letters.id
  enable_message_ordering    = var.ordered
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"
  labels                     = local.labels

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves what came too often: it publishes there, and takes away here.
resource "google_pubsub_topic_iam_member" "sets_aside" {
  project = var.project_id
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub
}

resource "google_pubsub_subscription_iam_member" "sets_aside" {
  project      = var.project_id
  subscription = google_pubsub_subscription.events.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub
}
