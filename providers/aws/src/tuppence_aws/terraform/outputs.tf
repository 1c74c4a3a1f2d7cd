output "place" {
  description = "Where everything is. `tuppence deploy` refuses to lose sight of it by moving elsewhere."
  value       = local.place
}

output "queue_url" {
  description = "Where applications send events."
  value       = aws_sqs_queue.events.url
}

output "table" {
  description = "The table's name."
  value       = aws_dynamodb_table.events.name
}

output "function_arns" {
  description = "Each function's ARN, by the component it is."
  value       = { for name, function in aws_lambda_function.this : name => function.arn }
}

output "schedule_role_arn" {
  description = "The role that schedules run under."
  value       = aws_iam_role.schedules.arn
}

output "producer_policy_arn" {
  description = "The policy to attach to the application's role or user: it may send events, and nothing else."
  value       = aws_iam_policy.producer.arn
}
