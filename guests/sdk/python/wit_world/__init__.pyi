# What componentize-py makes of the worlds python-processor, python-exporter and python-receiver,
# and of their runners, as far as the SDK uses it.
