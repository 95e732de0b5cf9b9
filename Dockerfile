# The whole app on one port, for a Docker Space or any other host:
#   docker build -t ganplay . && docker run -p 7860:7860 -v ganplay:/data ganplay
# The limits of a server are environment variables, see the table in README.md.
FROM python:3.11-slim

# A Space runs everything as user 1000, who may write into this home and into /data, where a volume may be mounted.
RUN useradd --create-home --uid 1000 user && mkdir /data && chown user:user /data
WORKDIR /home/user/app

# PyTorch without CUDA, which is most of what pip would install otherwise; the rest finds it there already.
COPY requirements.txt ./
RUN grep -E "^torch(vision)?[<>=]" requirements.txt > /tmp/torch.txt \
    && pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu -r /tmp/torch.txt \
    && pip install --no-cache-dir -r requirements.txt \
    && rm /tmp/torch.txt

# The code belongs to root, so the app cannot change it.
COPY . ./
RUN python -m compileall -q app.py ganplay pages

USER 1000
ENV HOME=/home/user GANPLAY_HOSTED=1 PORT=7860 PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD python -c "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/_stcore/health', timeout=4)"
CMD ["python", "app.py", "--host", "0.0.0.0"]
