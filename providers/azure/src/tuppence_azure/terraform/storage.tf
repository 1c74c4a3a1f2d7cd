# The events' account, and that of the functions' hosts. It has no monthly charge of its own.
resource "azurerm_storage_account" "this" {
  name                            = var.account
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  account_kind                    = "StorageV2"
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  min_tls_version                 = "TLS1_2"
  allow_nested_items_to_be_public = false

  tags = local.tags
}

resource "azurerm_storage_table" "events" {
  name                 = var.table
  storage_account_name = azurerm_storage_account.this.name
}

# What the hosts share: leases, when each timer last fired, and keys. Every app has its own names in them.
resource "azurerm_storage_container" "host" {
  for_each = toset(["azure-webjobs-hosts", "azure-webjobs-secrets"])

  name               = each.key
  storage_account_id = azurerm_storage_account.this.id
}

resource "azurerm_storage_container" "package" {
  for_each = var.apps

  name               = "package-${each.key}"
  storage_account_id = azurerm_storage_account.this.id
}
