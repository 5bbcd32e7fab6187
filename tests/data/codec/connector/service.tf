resource "google_cloud_run_v2_service" "ollama_gemma2_9b" {
  project             = "other-project"
  location            = "us-central1"
  name                = "ollama-gemma2-9b"
  ingress             = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  deletion_protection = false
  labels = {
    "llm-engine" = "ollama"
    "managed-by" = "llm-manager"
  }
  annotations = {
    "llm-manager/bucket"       = "other-bucket"
    "llm-manager/model"        = "gemma2:9b"
    "llm-manager/served-model" = "gemma2:9b"
  }
  template {
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = 4
    timeout                          = "3600s"
    gpu_zonal_redundancy_disabled    = true
    node_selector {
      accelerator = "nvidia-l4"
    }
    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }
    containers {
      name    = "ollama"
      image   = "ollama/ollama:0.24.0"
      command = ["/bin/sh", "-c", "set -e\nollama serve &\nexec ollama run \"$MODEL\"\n"]
      env {
        name  = "OLLAMA_MODELS"
        value = "/models"
      }
      env {
        name  = "MODEL"
        value = "gemma2:9b"
      }
      env {
        name  = "EMPTY"
        value = ""
      }
      resources {
        limits = {
          "cpu"            = "8"
          "memory"         = "32Gi"
          "nvidia.com/gpu" = "1"
        }
        cpu_idle          = false
        startup_cpu_boost = true
      }
      ports {
        container_port = 11434
      }
      volume_mounts {
        name       = "models"
        mount_path = "/models"
      }
      volume_mounts {
        name       = "cache"
        mount_path = "/cache"
      }
      startup_probe {
        initial_delay_seconds = 0
        period_seconds        = 10
        timeout_seconds       = 5
        failure_threshold     = 180
        http_get {
          path = "/"
          port = 11435
        }
      }
    }
    volumes {
      name = "models"
      gcs {
        bucket        = "other-bucket"
        read_only     = true
        mount_options = ["only-dir=ollama/library/gemma2/9b", "implicit-dirs", "metadata-cache-ttl-secs=-1", "cache-dir=cr-volume:cache", "file-cache-max-size-mb=-1", "file-cache-enable-parallel-downloads=true", "file-cache-cache-file-for-range-read=true"]
      }
    }
    volumes {
      name = "cache"
      empty_dir {
        medium     = "MEMORY"
        size_limit = "7Gi"
      }
    }
    vpc_access {
      egress    = "ALL_TRAFFIC"
      connector = "projects/other-project/locations/us-central1/connectors/c"
    }
  }
}
