"""Code that calls a deployed model, with the ID token that Cloud Run asks for."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.engines.base import Chat

_OPENAI = """\
# pip install openai google-auth requests
import google.auth.transport.requests
from google.oauth2 import id_token
from openai import OpenAI

URL = {url}
# Of a service account or of the machine that this runs on; each lasts an hour.
credentials = id_token.fetch_id_token_credentials(URL)


def token():
    if not credentials.valid:
        credentials.refresh(google.auth.transport.requests.Request())
    return credentials.token


client = OpenAI(base_url=URL + {base}, api_key=token, timeout=600)  # a cold start takes a while
answer = client.chat.completions.create(
    model={model},
    messages=[{{"role": "user", "content": "Hello!"}}],
)
print(answer.choices[0].message.content)
"""
_PYTHON = """\
# pip install google-auth requests
import google.auth.transport.requests
import requests
from google.oauth2 import id_token

URL = {url}
# Of a service account or of the machine that this runs on. It lasts an hour: get a new one then.
token = id_token.fetch_id_token(google.auth.transport.requests.Request(), URL)
answer = requests.post(
    URL + {path},
    headers={{"Authorization": f"Bearer {{token}}"}},
    json={{
        "model": {model},
        "messages": [{{"role": "user", "content": "Hello!"}}],
    }},
    timeout=600,  # seconds; a cold start takes a while
)
answer.raise_for_status()
print(answer.json()["choices"][0]["message"]["content"])
"""
_MANAGER = """\
# pip install of this package; works with the credentials of whoever runs it
from llm_widgets import Manager

manager = Manager({project})
service = next(s for s in manager.services().services if s.name == {name})
print(manager.chat(service, "Hello!"))
"""


def snippets(url: str, model: str, name: str, chat: Chat) -> Mapping[str, str]:
    """Write calls of a service in several languages, by the name of the language.

    Parameters
    ----------
    url
        Of the service, the audience of the ID token.
    model
        Name by which the engine knows the model.
    name
        Resource name of the service.
    chat
        Where its engine is talked to.
    """
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello!"}]})
    curl = (
        "# As a service account: gcloud auth print-identity-token --audiences="
        f"{shlex.quote(url)}\n"
        f"curl {shlex.quote(url + chat.path)} \\\n"
        '  -H "Authorization: Bearer $(gcloud auth print-identity-token)" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)}"
    )
    told = {
        "url": repr(url),
        "model": repr(model),
        "base": json.dumps(chat.base),
        "path": json.dumps(chat.path),
    }
    return {
        "curl": curl,
        "OpenAI SDK": _OPENAI.format(**told),
        "Python": _PYTHON.format(**told),
        "This product": _MANAGER.format(project=repr(name.split("/")[1]), name=repr(name)),
    }
