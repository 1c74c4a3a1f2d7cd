# SES writes to an address, or wants records in a domain's DNS, before it sends in its name.
resource "aws_sesv2_email_identity" "sender" {
  count = var.mail_identity == "" ? 0 : 1

  email_identity = var.mail_identity

  tags = local.tags
}
