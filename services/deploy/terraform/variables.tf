variable "project" {
  description = "Google Cloud project that pays and holds everything. Its APIs are switched on by main.tf."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "Expected a project id: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Region of the service, the images and the bucket. One for all three: traffic within a region is cheapest."
  type        = string
  default     = "europe-west4"
}

variable "image_tag" {
  description = "Tag of the image to serve, for example a commit. A tag that moves cannot be rolled back."
  type        = string

  validation {
    condition     = var.image_tag != "latest" && length(var.image_tag) > 0
    error_message = "Expected a tag that names one image, such as a commit; \"latest\" names another one tomorrow."
  }
}

variable "cpu" {
  description = "Cores of an instance: one computes, one hears the callers."
  type        = string
  default     = "2"
}

variable "memory" {
  description = "Memory of an instance. Files in /tmp count as well."
  type        = string
  default     = "4Gi"
}

variable "min_instances" {
  description = "Instances that are there when nobody calls, and are paid. 0 makes the first caller wait for a cold start."
  type        = number
  default     = 1

  validation {
    condition     = var.min_instances >= 0
    error_message = "Expected 0 or more instances."
  }
}

variable "max_instances" {
  description = "Instances at most: what a mistake or an attack can cost."
  type        = number
  default     = 12

  validation {
    condition     = var.max_instances >= 1
    error_message = "Expected 1 instance or more."
  }
}

variable "max_batch" {
  description = "Answers that an instance writes side by side, and requests that Cloud Run sends to it at a time."
  type        = number
  default     = 16
}

variable "invokers" {
  description = "Who may call the service, for example [\"group:agents@example.org\"]. Nobody, unless named."
  type        = set(string)
  default     = []
}

variable "keep_images" {
  description = "Images that are kept for a way back; older ones are deleted."
  type        = number
  default     = 10
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the service."
  type        = bool
  default     = true
}
