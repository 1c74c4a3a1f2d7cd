locals {
  # A driver makes no calls to say what it needs, so it leaves subscription and resource group open.
  here = {
    for resource in distinct(flatten([for allowed in var.permissions : [for one in allowed : one.resource]])) :
    resource => replace(
      replace(resource, "//subscriptions/\\*//", "/subscriptions/${local.subscription}/"),
      "//resourceGroups/\\*//", "/resourceGroups/${azurerm_resource_group.this.name}/"
    )
  }
  # Each resource that a component's app has something to do with.
  work = merge([
    for part in keys(var.apps) : {
      for resource in distinct([for one in var.permissions[part] : one.resource]) :
      "${part} ${resource}" => { part = part, scope = local.here[resource] }
    }
  ]...)
  host = merge([
    for part in keys(var.apps) : {
      for name, container in azurerm_storage_container.host : "${part} ${name}" => { part = part, container = name }
    }
  ]...)
}

resource "azurerm_user_assigned_identity" "part" {
  for_each = var.apps

  name                = each.value
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location

  tags = local.tags
}

# Azure's own roles allow all queues or tables of an account, so each component has one made of what its drivers
# declare. It is assigned on the one queue and on the one table, and allows nothing anywhere else.
resource "azurerm_role_definition" "role" {
  for_each = { for role, allowed in var.permissions : role => allowed if length(allowed) > 0 }

  name        = "${local.name}-${each.key}"
  description = "What the ${each.key} of tuppence, project ${var.project}, does."
  scope       = azurerm_resource_group.this.id

  permissions {
    actions = sort(distinct([
      for one in each.value : one.action if length(regexall("/(messages|entities)/", one.action)) == 0
    ]))
    data_actions = sort(distinct([
      for one in each.value : one.action if length(regexall("/(messages|entities)/", one.action)) > 0
    ]))
  }

  assignable_scopes = distinct(concat(
    [azurerm_resource_group.this.id],
    [for one in each.value : regex("^/subscriptions/[^/]+/resourceGroups/[^/]+", local.here[one.resource])]
  ))
}

resource "azurerm_role_assignment" "work" {
  for_each = local.work

  scope              = each.value.scope
  role_definition_id = azurerm_role_definition.role[each.value.part].role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.part[each.value.part].principal_id
  principal_type     = "ServicePrincipal"

  depends_on = [azurerm_servicebus_queue.events, azurerm_storage_queue.events, azurerm_storage_table.events]
}

# What Azure asks for its host: https://learn.microsoft.com/azure/azure-functions/functions-reference.
resource "azurerm_role_assignment" "host" {
  for_each = local.host

  scope                = "${azurerm_storage_account.this.id}/blobServices/default/containers/${azurerm_storage_container.host[each.value.container].name}"
  role_definition_name = "Storage Blob Data Owner"
  principal_id         = azurerm_user_assigned_identity.part[each.value.part].principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "package" {
  for_each = var.apps

  scope                = "${azurerm_storage_account.this.id}/blobServices/default/containers/${azurerm_storage_container.package[each.key].name}"
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.part[each.key].principal_id
  principal_type       = "ServicePrincipal"
}
