locals {
  on_demand = var.read_units == 0 || var.write_units == 0
}

resource "aws_dynamodb_table" "events" {
  name           = var.table
  billing_mode   = local.on_demand ? "PAY_PER_REQUEST" : "PROVISIONED"
  read_capacity  = local.on_demand ? null : var.read_units
  write_capacity = local.on_demand ? null : var.write_units
  hash_key       = "p"
  range_key      = "s"

  attribute {
    name = "p"
    type = "S"
  }

  attribute {
    name = "s"
    type = "S"
  }

  ttl {
    attribute_name = "e"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  tags = local.tags
}
