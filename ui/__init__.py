"""The app on Streamlit's side; all computation is camcore's."""
