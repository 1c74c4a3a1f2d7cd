resource "aws_dynamodb_table" "events" {
  name           = var.table
  billing_mode   = var.on_demand ? "PAY_PER_REQUEST" : "PROVISIONED"
  read_capacity  = var.on_demand ? null : 25
  write_capacity = var.on_demand ? null : 25
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
