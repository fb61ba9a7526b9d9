"""What a person sees in a browser: plain HTML, no scripts."""
