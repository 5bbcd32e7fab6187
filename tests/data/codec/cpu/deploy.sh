# gcloud has no flag for a service's annotations, by which the page knows a model and its bucket:
# use the YAML to keep them. Mount options need the beta track.
gcloud beta run deploy ollama-gemma2-9b \
  --project=other-project \
  --region=us-central1 \
  --image=ollama/ollama:0.24.0 \
  --port=11434 \
  '--command=/bin/sh,-c,set -e
ollama serve &
exec ollama run "$MODEL"
' \
  --set-env-vars=OLLAMA_MODELS=/models,MODEL=gemma2:9b,EMPTY= \
  --cpu=2 \
  --memory=4Gi \
  --startup-probe=initialDelaySeconds=0,periodSeconds=10,timeoutSeconds=5,failureThreshold=180,httpGet.path=/,httpGet.port=11435 \
  --no-cpu-throttling \
  --cpu-boost \
  --execution-environment=gen2 \
  --min-instances=0 \
  --max-instances=1 \
  --concurrency=4 \
  --timeout=3600 \
  '--add-volume=name=models,type=cloud-storage,bucket=other-bucket,readonly=true,mount-options=only-dir=ollama/library/gemma2/9b;implicit-dirs;metadata-cache-ttl-secs=-1' \
  --add-volume-mount=volume=models,mount-path=/models \
  --ingress=internal \
  --no-allow-unauthenticated \
  --labels=llm-engine=ollama,managed-by=llm-manager
