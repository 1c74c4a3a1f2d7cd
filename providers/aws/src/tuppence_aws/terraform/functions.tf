locals {
  # Each component and the role whose permissions it has.
  scheduled       = { drain = "processor", seal = "processor", report = "reporter" }
  called          = var.trigger == "event" ? { consume = "processor" } : {}
  components      = merge(local.scheduled, local.called)
  consume_timeout = 60 # a call brings ten messages at most
}

resource "aws_lambda_function" "this" {
  for_each = local.components

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.component[each.key].arn
  runtime          = var.runtime
  architectures    = [var.architecture]
  handler          = each.key == "consume" ? "tuppence_aws.handlers.consume" : "tuppence_aws.handlers.run"
  filename         = var.package
  source_code_hash = fileexists(var.package) ? filebase64sha256(var.package) : null # gone is fine for what is removed
  memory_size      = var.memory
  timeout          = each.key == "consume" ? local.consume_timeout : var.timeout

  tags = local.tags

  # Without its log group a function would make one that is kept for ever, if it were allowed to.
  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.component]
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.components

  name              = "/aws/lambda/${local.name}-${each.key}"
  retention_in_days = var.log_retention_days

  tags = local.tags
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = local.called

  event_source_arn        = aws_sqs_queue.events.arn
  function_name           = aws_lambda_function.this[each.key].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  tags = local.tags
}
