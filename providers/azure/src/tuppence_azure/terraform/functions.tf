locals {
  # Each setting that says where the queue is, for the trigger that calls with its messages.
  trigger = local.service_bus ? {
    EVENTS__fullyQualifiedNamespace = "${var.namespace}.servicebus.windows.net"
    } : {
    EVENTS__queueServiceUri = azurerm_storage_account.this.primary_queue_endpoint
  }
  never = "0 0 0 1 1 *" # once a year, until `tuppence deploy` has set the schedules
}

# A plan holds one app, and has no charge of its own.
resource "azurerm_service_plan" "part" {
  for_each = var.apps

  name                = each.value
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  os_type             = "Linux"
  sku_name            = "FC1"

  tags = local.tags
}

resource "azurerm_function_app_flex_consumption" "part" {
  for_each = var.apps

  name                = each.value
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  service_plan_id     = azurerm_service_plan.part[each.key].id
  https_only          = true

  runtime_name           = "python"
  runtime_version        = var.python
  instance_memory_in_mb  = var.memory
  maximum_instance_count = 40 # the least that Azure allows

  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "${azurerm_storage_account.this.primary_blob_endpoint}${azurerm_storage_container.package[each.key].name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.part[each.key].id

  zip_deploy_file = var.package == "none" ? null : var.package # gone is fine for what is removed

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.part[each.key].id]
  }

  site_config {
    application_insights_connection_string = var.application_insights == "" ? null : var.application_insights
  }

  app_settings = merge(
    {
      TUPPENCE_PART                    = each.key
      AZURE_CLIENT_ID                  = azurerm_user_assigned_identity.part[each.key].client_id
      PYTHON_THREADPOOL_THREAD_COUNT   = "1" # calls of one process wait for each other anyway
      AzureFunctionsWebHost__hostid    = substr(sha256(each.value), 0, 32)
      AzureWebJobsStorage__accountName = azurerm_storage_account.this.name
      AzureWebJobsStorage__credential  = "managedidentity"
      AzureWebJobsStorage__clientId    = azurerm_user_assigned_identity.part[each.key].client_id
      EVENTS__credential               = "managedidentity"
      EVENTS__clientId                 = azurerm_user_assigned_identity.part[each.key].client_id
    },
    local.trigger,
    { for timer in var.timers[each.key] : timer => local.never },
  )

  tags = local.tags

  # Schedules are settings too, and `tuppence deploy` sets them, as people set secrets that the configuration
  # names. So settings are given once: Terraform would take the others away.
  lifecycle {
    ignore_changes = [app_settings]
  }

  # Without these it would start, and fail until it has them.
  depends_on = [azurerm_role_assignment.work, azurerm_role_assignment.host, azurerm_role_assignment.package]
}
