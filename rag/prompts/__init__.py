"""Prompts as code: numbered versions that never change, labels that move, templates that cannot run away.

templates: Jinja2 in a sandbox with bounds. registry: versions, labels and their log in the database. files: a
folder of YAML files, for version control.
"""
