FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
RUN useradd --create-home orrery && mkdir /cache && chown orrery /cache
USER orrery
ENV ORRERY_HOSTED=1 ORRERY_CACHE=/cache
EXPOSE 8501
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.headless=true"]
