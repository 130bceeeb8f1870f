"""Training the house model: open texts and phrasebook-made pairs → `writers/house/default`.

    rows (pairs, texts) → pieces → train → export → evaluate

Run `python -m hookline.house --data ../shared/data --out DIR`; it needs torch, which
`pip install 'hookline[train]'` brings. Using the model needs none of this.
"""
