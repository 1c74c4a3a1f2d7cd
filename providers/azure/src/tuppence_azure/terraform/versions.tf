terraform {
  required_version = ">= 1.6"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.20" # what it was written for; a new major version changes what arguments mean
    }
  }
}

data "azurerm_client_config" "this" {}

resource "azurerm_resource_group" "this" {
  name     = var.resource_group
  location = var.location

  tags = local.tags
}

locals {
  name         = "tuppence-${var.project}"
  subscription = data.azurerm_client_config.this.subscription_id
  place        = "subscription ${local.subscription}, ${var.location}"
  tags         = merge({ project = var.project }, var.tags)
}
