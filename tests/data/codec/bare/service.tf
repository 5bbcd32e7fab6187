resource "google_cloud_run_v2_service" "vllm_name" {
  project             = "some-project"
  location            = "europe-west4"
  name                = "vllm-name"
  ingress             = "INGRESS_TRAFFIC_ALL"
  deletion_protection = false
  labels = {
    "llm-engine" = "vllm"
    "managed-by" = "llm-manager"
  }
  annotations = {
    "llm-manager/bucket"       = "some-bucket"
    "llm-manager/model"        = ""
    "llm-manager/served-model" = ""
  }
  template {
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = 64
    timeout                          = "3600s"
    scaling {
      min_instance_count = 0
      max_instance_count = 100
    }
    containers {
      name  = "vllm"
      image = "vllm/vllm-openai:v0.33.0"
      resources {
        limits = {
          "cpu"    = "1"
          "memory" = "0.5Gi"
        }
        cpu_idle          = false
        startup_cpu_boost = true
      }
      ports {
        container_port = 8000
      }
      volume_mounts {
        name       = "models"
        mount_path = "/models"
      }
      startup_probe {
        initial_delay_seconds = 0
        period_seconds        = 10
        timeout_seconds       = 5
        failure_threshold     = 180
        http_get {
          path = "/health"
          port = 8000
        }
      }
    }
    volumes {
      name = "models"
      gcs {
        bucket        = "some-bucket"
        read_only     = true
        mount_options = []
      }
    }
  }
}
