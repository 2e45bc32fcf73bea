"""Files to run TensorFlow Serving's own image by Docker Compose and on Kubernetes, with the models of a base path."""

__all__ = ["FILES", "compose", "kubernetes"]

FILES = ("compose.yaml", "kubernetes.yaml")

_ARGUMENTS = (
    "--model_config_file=/models/models.config",
    "--model_config_file_poll_wait_seconds=60",
    "--allow_version_labels_for_unavailable_models=true",
    "--monitoring_config_file=/models/monitoring.config",
    "--enable_batching=true",
    "--batching_parameters_file=/models/batching.config",
)

# The image has neither curl nor wget, so that the health check of Compose is bash's own.
_COMPOSE = """# docker compose up --wait
services:
  serving:
    image: tensorflow/serving:latest  # better a tag that you tried
    command:
{arguments}
    ports:
      - "127.0.0.1:8500:8500"  # gRPC
      - "127.0.0.1:8501:8501"  # REST, and Prometheus' metrics
    volumes:
      - type: bind
        source: .
        target: /models
        read_only: true
    user: "65534:65534"
    read_only: true
    tmpfs:
      - /tmp
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    mem_limit: 2g
    cpus: 2
    pids_limit: 512
    restart: unless-stopped
    healthcheck:
      test:
        - CMD
        - bash
        - -c
        - >-
          exec 3<>/dev/tcp/127.0.0.1/8501 &&
          printf 'GET /v1/models/{model} HTTP/1.0\\r\\n\\r\\n' >&3 &&
          grep -q AVAILABLE <&3
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 60s
"""

_KUBERNETES = """# kubectl apply -f kubernetes.yaml, with this folder as the volume "models"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: serving
  labels:
    app: serving
spec:
  replicas: 2
  selector:
    matchLabels:
      app: serving
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        app: serving
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8501"
        prometheus.io/path: /monitoring/prometheus/metrics
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: serving
          image: tensorflow/serving:latest  # better a tag that you tried
          args:
{arguments}
          ports:
            - name: grpc
              containerPort: 8500
            - name: rest
              containerPort: 8501
          startupProbe:
            httpGet: &probe
              path: /v1/models/{model}
              port: rest
            periodSeconds: 5
            failureThreshold: 60
          readinessProbe:
            httpGet: *probe
            periodSeconds: 5
          livenessProbe:
            tcpSocket:
              port: grpc
            periodSeconds: 20
          resources:
            requests:
              cpu: "1"
              memory: 512Mi
            limits:
              cpu: "2"
              memory: 2Gi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop:
                - ALL
          volumeMounts:
            - name: models
              mountPath: /models
              readOnly: true
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: models
          persistentVolumeClaim:
            claimName: models
            readOnly: true
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
---
apiVersion: v1
kind: Service
metadata:
  name: serving
spec:
  selector:
    app: serving
  ports:
    - name: grpc
      port: 8500
      targetPort: grpc
    - name: rest
      port: 8501
      targetPort: rest
"""


def compose(model: str) -> str:
    """A compose file, which answers to this machine alone; healthy when the model is served."""
    return _filled(_COMPOSE, model, 6)


def kubernetes(model: str) -> str:
    """A Deployment of two and a Service; ready when the model is served."""
    return _filled(_KUBERNETES, model, 12)


def _filled(text: str, model: str, indent: int) -> str:
    arguments = "\n".join(f"{' ' * indent}- {argument}" for argument in _ARGUMENTS)
    return text.format(arguments=arguments, model=model)
