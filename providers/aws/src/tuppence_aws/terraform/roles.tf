locals {
  # A driver makes no calls to say what it needs, so it may leave region and account open; where it does not
  # know the region, it has not known the partition either.
  here = {
    for resource in distinct(flatten([for allowed in var.permissions : [for one in allowed : one.resource]])) :
    resource => replace(
      replace(resource, "/^arn:[^:]*:([^:]*):\\*:/", "arn:${local.partition}:$1:${local.region}:"),
      "/^(arn:[^:]*:[^:]*:[^:]*):\\*:/", "$1:${local.account}:"
    )
  }
  # One statement for each resource.
  statements = {
    for role, allowed in var.permissions : role => [
      for resource in distinct([for one in allowed : one.resource]) : {
        Effect   = "Allow"
        Action   = sort(distinct([for one in allowed : one.action if one.resource == resource]))
        Resource = local.here[resource]
      }
    ]
  }
}

resource "aws_iam_role" "component" {
  for_each = local.components

  name               = "${local.name}-${each.key}"
  assume_role_policy = jsonencode(local.trust.lambda)

  tags = local.tags
}

resource "aws_iam_role_policy" "component" {
  for_each = local.components

  name = "work"
  role = aws_iam_role.component[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.statements[each.value], [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.function[each.key].arn}:*"
    }])
  })
}

# For the application's own role or user: it may send events, and nothing else.
resource "aws_iam_policy" "producer" {
  name        = "${local.name}-producer"
  description = "Send events to tuppence, project ${var.project}."

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.statements.producer
  })

  tags = local.tags
}

# The role that schedules run under. `tuppence deploy` makes the schedules themselves.
resource "aws_iam_role" "schedules" {
  name               = "${local.name}-invoke"
  assume_role_policy = jsonencode(local.trust.scheduler)

  tags = local.tags
}

resource "aws_iam_role_policy" "schedules" {
  name = "invoke"
  role = aws_iam_role.schedules.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = [for name in sort(keys(local.scheduled)) : aws_lambda_function.this[name].arn]
    }]
  })
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.schedule_group

  tags = local.tags
}

locals {
  trust = {
    lambda = {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "lambda.amazonaws.com" }
      }]
    }
    scheduler = {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "scheduler.amazonaws.com" }
        # By account and not by schedule: there is none yet when the first one's role is looked at.
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }]
    }
  }
}
