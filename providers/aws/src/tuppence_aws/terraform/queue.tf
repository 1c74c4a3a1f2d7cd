locals {
  fifo    = endswith(var.queue, ".fifo")
  days_14 = 14 * 24 * 60 * 60 # the longest SQS keeps a message
}

resource "aws_sqs_queue" "events" {
  name                        = var.queue
  fifo_queue                  = local.fifo
  content_based_deduplication = local.fifo ? false : null
  deduplication_scope         = local.fifo ? "messageGroup" : null
  fifo_throughput_limit       = local.fifo ? "perMessageGroupId" : null
  max_message_size            = 262144 # a batch is 64 KiB at most
  message_retention_seconds   = local.days_14
  sqs_managed_sse_enabled     = true
  visibility_timeout_seconds  = 6 * local.consume_timeout # what AWS advises for a queue that calls a function

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 20 # a net only: tuppence sets aside what cannot be read the first time it sees it
  })

  tags = local.tags
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = var.dead_letters
  fifo_queue                = local.fifo
  max_message_size          = 262144
  message_retention_seconds = local.days_14
  sqs_managed_sse_enabled   = true

  tags = local.tags
}
