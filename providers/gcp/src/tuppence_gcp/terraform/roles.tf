locals {
  # One custom role for what a role may do with a kind of resource, and one binding for each resource.
  custom = {
    for key, grants in {
      for grant in flatten([
        for role, grants in var.permissions : [for one in grants : merge(one, { role = role })]
      ]) : "${grant.role}_${grant.kind}" => grant.actions...
    } : key => sort(distinct(flatten(grants)))
  }
  bound = {
    for grant in flatten([
      for part, function in var.functions : [
        for one in var.permissions[function.role] : merge(one, { part = part, custom = "${function.role}_${one.kind}" })
      ]
    ]) : "${grant.part} ${grant.kind} ${grant.name}" => grant
  }
}

resource "google_project_iam_custom_role" "this" {
  for_each = local.custom

  project     = var.project_id
  role_id     = replace("${local.name}_${each.key}", "-", "_")
  title       = "${local.name} ${replace(each.key, "_", " ")}"
  description = "What a part of tuppence, project ${var.project}, may do."
  permissions = each.value

  depends_on = [google_project_service.used]
}

resource "google_service_account" "function" {
  for_each = var.functions

  project      = var.project_id
  account_id   = each.value.account
  display_name = each.value.name

  depends_on = [google_project_service.used]
}

resource "google_pubsub_subscription_iam_member" "function" {
  for_each = { for key, grant in local.bound : key => grant if grant.kind == "subscription" }

  project = var.project_id
  subscription = {
    (var.queue)        = google_pubsub_subscription.events.name
    (var.dead_letters) = google_pubsub_subscription.dead_letters.name
  }[each.value.name]
  role   = google_project_iam_custom_role.this[each.value.custom].id
  member = google_service_account.function[each.value.part].member
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = { for key, grant in local.bound : key => grant if grant.kind == "bucket" }

  bucket = google_storage_bucket.blobs[0].name
  role   = google_project_iam_custom_role.this[each.value.custom].id
  member = google_service_account.function[each.value.part].member
}

# Firestore has no bindings of its own: a condition keeps this one to the database.
resource "google_project_iam_member" "database" {
  for_each = { for key, grant in local.bound : key => grant if grant.kind == "database" }

  project = var.project_id
  role    = google_project_iam_custom_role.this[each.value.custom].id
  member  = google_service_account.function[each.value.part].member

  condition {
    title      = "only-${local.name}"
    expression = "resource.name == \"projects/${var.project_id}/databases/${each.value.name}\""
  }
}

resource "google_project_iam_member" "project" {
  for_each = { for key, grant in local.bound : key => grant if grant.kind == "project" }

  project = var.project_id
  role    = google_project_iam_custom_role.this[each.value.custom].id
  member  = google_service_account.function[each.value.part].member
}

# What mail needs to know. Whoever deploys has put it into Secret Manager; this module never sees it.
resource "google_secret_manager_secret_iam_member" "reporter" {
  for_each = {
    for pair in flatten([
      for part, function in var.functions : [
        for secret in values(var.secrets) : { part = part, secret = secret } if function.role == "reporter"
      ]
    ]) : "${pair.part} ${pair.secret}" => pair
  }

  project   = var.project_id
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.part].member
}

# As whom Cloud Scheduler and Pub/Sub call the functions. It may do nothing else.
resource "google_service_account" "invoke" {
  project      = var.project_id
  account_id   = var.invoke_account
  display_name = "${local.name}-invoke"

  depends_on = [google_project_service.used]
}

resource "google_cloud_run_v2_service_iam_member" "invoke" {
  for_each = google_cloudfunctions2_function.this

  project  = var.project_id
  location = var.region
  name     = each.value.name
  role     = "roles/run.invoker"
  member   = google_service_account.invoke.member
}

resource "google_service_account_iam_member" "pubsub" {
  service_account_id = google_service_account.invoke.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub
}

# As whom Google builds the functions; without one it would be an account that may do much more.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = var.build_account
  display_name = "${local.name}-build"

  depends_on = [google_project_service.used]
}

resource "google_project_iam_member" "build" {
  project = var.project_id
  role    = "roles/cloudbuild.builds.builder"
  member  = google_service_account.build.member
}
