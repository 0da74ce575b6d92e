"""Everything that runs beside a submission, in its process; nothing here is believed.

Of the harness's other side these modules import the link and nothing else.
"""
