"""Reads tables: workbooks of Excel and LibreOffice, and CSV."""
