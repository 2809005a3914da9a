# The inference service on Cloud Run: images in Artifact Registry, weights in a bucket that the service reads.

locals {
  image = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}/inference:${var.image_tag}"

  # The variables of services/inference/settings.py.
  settings = {
    INFERENCE_PROJECT        = var.project
    INFERENCE_MAX_BATCH      = tostring(var.max_batch)
    INFERENCE_ANSWER_SECONDS = "60"
    # Cloud Run kills an instance 10 s after SIGTERM.
    INFERENCE_DRAIN_SECONDS = "8"
  }
}

resource "google_project_service" "apis" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "run.googleapis.com",
    "storage.googleapis.com",
  ])

  service            = each.key
  disable_on_destroy = false
}

resource "google_artifact_registry_repository" "images" {
  repository_id = "inference"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the inference service."

  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = var.keep_images
    }
  }

  cleanup_policies {
    id     = "delete-the-rest"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_storage_bucket" "models" {
  name                        = "${var.project}-inference-models"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      num_newer_versions = 2
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "inference" {
  account_id   = "inference"
  display_name = "The inference service"
}

resource "google_storage_bucket_iam_member" "reads_models" {
  bucket = google_storage_bucket.models.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.inference.member
}

resource "google_cloud_run_v2_service" "inference" {
  name                = "inference"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = var.deletion_protection

  template {
    service_account                  = google_service_account.inference.email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    timeout                          = "90s"
    max_instance_request_concurrency = var.max_batch

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      image = local.image

      ports {
        container_port = 8000
      }

      dynamic "env" {
        for_each = local.settings

        content {
          name  = env.key
          value = env.value
        }
      }

      resources {
        limits = {
          cpu    = var.cpu
          memory = var.memory
        }

        # The batch goes on between two requests.
        cpu_idle          = false
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 3
        timeout_seconds   = 2
        failure_threshold = 60

        http_get {
          path = "/readyz"
          port = 8000
        }
      }

      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 6

        http_get {
          path = "/healthz"
          port = 8000
        }
      }

      volume_mounts {
        name       = "models"
        mount_path = "/models"
      }
    }

    volumes {
      name = "models"

      gcs {
        bucket    = google_storage_bucket.models.name
        read_only = true
      }
    }
  }

  depends_on = [
    google_project_service.apis,
    google_storage_bucket_iam_member.reads_models,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "invokers" {
  for_each = var.invokers

  name     = google_cloud_run_v2_service.inference.name
  location = google_cloud_run_v2_service.inference.location
  role     = "roles/run.invoker"
  member   = each.key
}
