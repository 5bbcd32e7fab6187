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
    "llm-manager/model"        = "org/name"
    "llm-manager/served-model" = "org/name"
  }
  template {
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = 64
    timeout                          = "3600s"
    gpu_zonal_redundancy_disabled    = true
    session_affinity                 = true
    node_selector {
      accelerator = "nvidia-l4"
    }
    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }
    containers {
      name  = "vllm"
      image = "vllm/vllm-openai:v0.33.0"
      args  = ["/models", "--port=8000", "--max-num-seqs=64"]
      env {
        name  = "HF_HUB_OFFLINE"
        value = "1"
      }
      env {
        name  = "DO_NOT_TRACK"
        value = "1"
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
        mount_options = ["only-dir=huggingface/org/name/sha", "implicit-dirs", "enable-buffered-read=true"]
      }
    }
  }
}
