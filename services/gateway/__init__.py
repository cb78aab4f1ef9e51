"""The gateway: the HTTP door of Assay, which takes requests in, shows where reports stand, and hands out workbooks."""
