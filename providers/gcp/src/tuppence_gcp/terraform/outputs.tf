output "place" {
  description = "Where everything is. `tuppence deploy` refuses to lose sight of it by moving elsewhere."
  value       = local.place
}

output "topic" {
  description = "Where applications send events."
  value       = google_pubsub_topic.events.id
}

output "collection" {
  description = "The collection's name."
  value       = var.collection
}

output "function_urls" {
  description = "Each function's address, by the component it is."
  value       = { for part, function in google_cloudfunctions2_function.this : part => function.url }
}

output "invoke_account" {
  description = "The service account as which functions are called."
  value       = google_service_account.invoke.email
}

output "producer_role" {
  description = "The role to give the application's account on the topic: it may send events, and nothing else."
  value       = google_project_iam_custom_role.this["producer_topic"].id
}
