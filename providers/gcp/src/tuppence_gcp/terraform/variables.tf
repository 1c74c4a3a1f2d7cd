# `tuppence deploy` writes all of these from tuppence.toml. The names are those the drivers use.

variable "project" {
  description = "As in tuppence.toml. Every name begins with tuppence-<project>."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]{1,46}$", var.project))
    error_message = "Use 1 to 46 of a-z, 0-9 and -: with what is added, a function's name has 63 letters at most."
  }
}

variable "project_id" {
  description = "Google's id of the project that all of it is made in."
  type        = string
}

variable "region" {
  description = "Where all of it is."
  type        = string
  default     = "us-central1"
}

variable "queue" {
  description = "The name of the topic, and of the subscription to it."
  type        = string
}

variable "dead_letters" {
  description = "The name of the topic into which Pub/Sub sets aside what came too often, and of its subscription."
  type        = string
}

variable "ordered" {
  description = "Whether messages of one lane keep their order."
  type        = bool
  default     = false
}

variable "database" {
  description = "The name of the Firestore database. The one that costs nothing is (default)."
  type        = string
  default     = "(default)"
}

variable "create_database" {
  description = "Whether the database is made here, and removed with all else."
  type        = bool
  default     = true
}

variable "collection" {
  description = "The name of the collection."
  type        = string
}

variable "native_ttl" {
  description = "Whether Firestore deletes what has expired, which is billed."
  type        = bool
  default     = false
}

variable "blobs" {
  description = "The name of the bucket for bodies. Empty keeps them in Firestore."
  type        = string
  default     = ""
}

variable "permissions" {
  description = "What each role may do, as the drivers declare it, by the resources it is bound to."
  type        = map(list(object({ kind = string, name = string, actions = list(string) })))
}

variable "functions" {
  description = "Each function's name, its service account's, its role, and its address."
  type        = map(object({ name = string, account = string, role = string, url = string }))
}

variable "secrets" {
  description = "Secrets in Secret Manager that the report's function reads, by the environment variable it finds them in."
  type        = map(string)
  default     = {}
}

variable "invoke_account" {
  description = "The name of the service account as which functions are called."
  type        = string
}

variable "build_account" {
  description = "The name of the service account as which functions are built."
  type        = string
}

variable "source_bucket" {
  description = "The name of the bucket for the functions' source, which no other bucket in the world may have."
  type        = string
}

variable "package" {
  description = "The functions' source: a zip file, as `tuppence deploy` builds it."
  type        = string
}

variable "runtime" {
  description = "The Python that the functions run on."
  type        = string
  default     = "python313"
}

variable "memory" {
  description = "MiB for each function. Cloud Run gives processor time in proportion."
  type        = number
  default     = 512
}

variable "timeout" {
  description = "Seconds that one run of a function may take. What is left over is done by the next."
  type        = number
  default     = 900
}

variable "consume_timeout" {
  description = "Seconds that storing one message may take."
  type        = number
  default     = 60
}

variable "labels" {
  description = "More labels for everything that can have them."
  type        = map(string)
  default     = {}
}
