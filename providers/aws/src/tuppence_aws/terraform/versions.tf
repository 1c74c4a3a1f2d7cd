terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.50" # what it was applied with; a new major version changes what arguments mean
    }
  }
}

data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

locals {
  name    = "tuppence-${var.project}"
  account = data.aws_caller_identity.this.account_id
  place   = "account ${local.account}, ${data.aws_region.this.name}"
  tags    = merge({ project = var.project }, var.tags)
}
