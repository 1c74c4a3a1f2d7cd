locals {
  service_bus = var.namespace != ""
  # A Storage Queue, and beside it what the host of a function has given up.
  storage_queues = local.service_bus ? [] : concat([var.queue], var.set_aside ? ["${var.queue}-poison"] : [])
}

# Basic has no monthly charge. Detecting duplicates takes Standard, which has one.
resource "azurerm_servicebus_namespace" "this" {
  count = local.service_bus ? 1 : 0

  name                = var.namespace
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = var.detects_duplicates ? "Standard" : "Basic"
  minimum_tls_version = "1.2"

  tags = local.tags
}

resource "azurerm_servicebus_queue" "events" {
  count = local.service_bus ? 1 : 0

  name                                 = var.queue
  namespace_id                         = azurerm_servicebus_namespace.this[0].id
  lock_duration                        = "PT5M" # the longest there is: messages are leased for as long
  default_message_ttl                  = "P14D" # the longest that Basic keeps a message
  max_delivery_count                   = 20     # a net only: tuppence sets aside what cannot be read the first time
  dead_lettering_on_message_expiration = true
  requires_duplicate_detection         = var.detects_duplicates
}

resource "azurerm_storage_queue" "events" {
  for_each = toset(local.storage_queues)

  name                 = each.key
  storage_account_name = azurerm_storage_account.this.name
}
