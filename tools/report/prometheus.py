# SPDX-License-Identifier: BSD-2-Clause
"""What is asked of a Prometheus, and what Grafana fills into the queries of a dashboard before it asks."""
import json
import urllib.error
import urllib.parse
import urllib.request


def get(address, path, **parameters):
    """The "data" of an answer of the HTTP API; ValueError with Prometheus' own words."""
    url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise ValueError(f"{parameters or path}: {json.load(error)['error']}") from error


def values_of(dashboard, rate_interval, seconds):
    """What stands for each variable, in seconds where it is a time; "All" where one can choose."""
    values = {"$__rate_interval": f"{rate_interval}s", "$__range": f"{seconds}s"}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            values[f"${variable['name']}"] = variable["allValue"]
    return values


def fill(query, values):
    """ValueError if there is a variable that nothing stands for."""
    for name, value in values.items():
        query = query.replace(name, value)
    if "$" in query:
        raise ValueError(f"a variable that is not known: {query}")
    return query
