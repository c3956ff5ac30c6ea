"""Reads office formats besides Microsoft's current ones: RTF, OpenDocument, DOC, PPT and Outlook mails."""
