# gcloud has no flag for a service's annotations, by which the page knows a model and its bucket:
# use the YAML to keep them. Mount options need the beta track.
gcloud beta run deploy vllm-name \
  --project=some-project \
  --region=europe-west4 \
  --image=vllm/vllm-openai:v0.33.0 \
  --port=8000 \
  --args=/models,--port=8000,--max-num-seqs=64 \
  --set-env-vars=HF_HUB_OFFLINE=1,DO_NOT_TRACK=1 \
  --cpu=8 \
  --memory=32Gi \
  --startup-probe=initialDelaySeconds=0,periodSeconds=10,timeoutSeconds=5,failureThreshold=180,httpGet.path=/health,httpGet.port=8000 \
  --gpu=1 \
  --gpu-type=nvidia-l4 \
  --no-gpu-zonal-redundancy \
  --no-cpu-throttling \
  --cpu-boost \
  --execution-environment=gen2 \
  --min-instances=0 \
  --max-instances=1 \
  --concurrency=64 \
  --timeout=3600 \
  --session-affinity \
  '--add-volume=name=models,type=cloud-storage,bucket=some-bucket,readonly=true,mount-options=only-dir=huggingface/org/name/sha;implicit-dirs;enable-buffered-read=true' \
  --add-volume-mount=volume=models,mount-path=/models \
  --ingress=all \
  --no-allow-unauthenticated \
  --labels=llm-engine=vllm,managed-by=llm-manager
