output "place" {
  description = "Where everything is. `tuppence deploy` refuses to lose sight of it by moving elsewhere."
  value       = local.place
}

output "queue" {
  description = "The queue's id, on which an application needs the producer's role."
  value       = local.here[var.permissions["producer"][0].resource]
}

output "producer_role" {
  description = "The role to assign to the application's identity on the queue: it may send events, and nothing else."
  value       = azurerm_role_definition.role["producer"].role_definition_resource_id
}

output "table" {
  description = "The table's name."
  value       = azurerm_storage_table.events.name
}

output "function_apps" {
  description = "Each function app's id, by the component it is."
  value       = { for part, app in azurerm_function_app_flex_consumption.part : part => app.id }
}
