"""What pages share on Streamlit's side; all computation is camcore's."""
