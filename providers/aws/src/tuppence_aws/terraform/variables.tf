# `tuppence deploy` writes all of these from tuppence.toml. The names are those the drivers use.

variable "project" {
  description = "As in tuppence.toml. Every name begins with tuppence-<project>."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9_-]{1,47}$", var.project))
    error_message = "Use 1 to 47 of a-z, 0-9, - and _: with what is added, a function's name has 64 letters at most."
  }
}

variable "queue" {
  description = "The queue's name. That of a FIFO queue ends in .fifo."
  type        = string
}

variable "dead_letters" {
  description = "The name of the queue into which SQS sets aside what was received too often."
  type        = string
}

variable "table" {
  description = "The table's name."
  type        = string
}

variable "schedule_group" {
  description = "The name of the group that holds the project's schedules."
  type        = string
}

variable "permissions" {
  description = "What each role may do, as the drivers declare it: producer, processor and reporter."
  type        = map(list(object({ action = string, resource = string })))
}

variable "package" {
  description = "The functions' code: a zip file, as `tuppence deploy` builds it."
  type        = string
}

variable "runtime" {
  description = "The Python that the package was built for."
  type        = string
  default     = "python3.13"
}

variable "architecture" {
  description = "The processor that the package was built for: arm64, which costs a fifth less, or x86_64."
  type        = string
  default     = "arm64"
}

variable "memory" {
  description = "MiB for each function. Lambda gives processor time in proportion."
  type        = number
  default     = 512
}

variable "timeout" {
  description = "Seconds that one run of a function may take. What is left over is done by the next."
  type        = number
  default     = 900
}

variable "trigger" {
  description = "schedule: the queue is drained every so often. event: SQS calls a function with its messages."
  type        = string
  default     = "schedule"
}

variable "read_units" {
  description = "Reads a second of the table: 25 are free. 0 here or below pays for each read and write instead."
  type        = number
  default     = 25
}

variable "write_units" {
  description = "Writes a second of the table: 25 are free."
  type        = number
  default     = 25
}

variable "point_in_time_recovery" {
  description = "Keep 35 days of changes to go back to. Billed by the size of the table."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "How long the functions' logs are kept."
  type        = number
  default     = 14
}

variable "mail_identity" {
  description = "An address or domain to verify with SES. Empty where it is verified already, or SES not used."
  type        = string
  default     = ""
}

variable "alarm_actions" {
  description = "ARNs that are told when an alarm goes off and when it is over, such as an SNS topic's."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "More tags for everything that can have them."
  type        = map(string)
  default     = {}
}
