output "url" {
  description = "Address of the service; calls need an identity token of one of the invokers."
  value       = google_cloud_run_v2_service.inference.uri
}

output "repository" {
  description = "Where images are pushed to."
  value       = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "models" {
  description = "The bucket for the weights."
  value       = google_storage_bucket.models.url
}
