# `tuppence deploy` writes all of these from tuppence.toml. The names are those the drivers use.

variable "project" {
  description = "As in tuppence.toml. Roles begin with tuppence-<project>."
  type        = string
}

variable "location" {
  description = "The region, as in uksouth."
  type        = string
}

variable "resource_group" {
  description = "The name of the resource group that holds everything, and is made."
  type        = string
}

variable "apps" {
  description = "The names of the function apps, of which nobody else on Azure may have one: processor and reporter."
  type        = map(string)
}

variable "timers" {
  description = "For each app the settings that say when its timers fire."
  type        = map(list(string))
}

variable "account" {
  description = "The storage account's name, which nobody else on Azure may have."
  type        = string
}

variable "table" {
  description = "The table's name."
  type        = string
}

variable "queue" {
  description = "The queue's name."
  type        = string
}

variable "namespace" {
  description = "The name of the Service Bus namespace, which nobody else on Azure may have. Empty for a Storage Queue."
  type        = string
  default     = ""
}

variable "set_aside" {
  description = "Whether functions are called with a Storage Queue's messages, and need a queue for what they give up."
  type        = bool
  default     = false
}

variable "detects_duplicates" {
  description = "Whether the queue detects duplicates. That takes Service Bus Standard, about $10 a month."
  type        = bool
  default     = false
}

variable "permissions" {
  description = "What each role may do, as the drivers declare it: producer, processor and reporter."
  type        = map(list(object({ action = string, resource = string })))
}

variable "package" {
  description = "The functions' code: a zip file, as `tuppence deploy` builds it."
  type        = string
}

variable "python" {
  description = "The Python that the package was built for."
  type        = string
}

variable "memory" {
  description = "MB of an instance: 512, 2048 or 4096."
  type        = number
  default     = 2048
}

variable "application_insights" {
  description = "The connection string of an Application Insights resource. Without one, logs are seen while they stream."
  type        = string
  default     = ""
  sensitive   = true
}

variable "tags" {
  description = "More tags for everything that can have them."
  type        = map(string)
  default     = {}
}
