"""Calls for the pictures of users: sent, removed, shown. Whoever knows the address of a picture may see it."""

# ruff: noqa: S608 -- what is put into SQL text are names from declarations; values are bound

import re
from typing import Final

from leadroutes.api.audit import act_on_user
from leadroutes.api.bodies import read_limited
from leadroutes.api.call import Call, Response
from leadroutes.api.lead_calls import read_nothing
from leadroutes.api.reads import id_in
from leadroutes.api.resource import Resource
from leadroutes.api.resources import BY_PATH
from leadroutes.api.resources.users import ME
from leadroutes.api.statements import record_sql
from leadroutes.engine.pictures import LARGEST, find_picture, remove_picture, set_picture
from leadroutes.errors import Forbidden, Invalid, NotFound

USERS = BY_PATH["/users"]
PICTURE: Final = {"description": "a PNG, JPEG or WebP picture of up to 512 kB, with its own content type"}
_DIGEST = re.compile("[0-9a-f]{64}")
_HEADERS = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
)


async def put_my_picture(call: Call) -> Response:
    """PUT /me/picture: the caller's own."""
    return await _put(call, ME, call.caller.user_id)


async def delete_my_picture(call: Call) -> Response:
    """DELETE /me/picture."""
    return await _delete(call, ME, call.caller.user_id)


async def put_picture(call: Call) -> Response:
    """PUT /users/:id/picture, for administrators."""
    return await _put(call, USERS, await _user_to_change(call))


async def delete_picture(call: Call) -> Response:
    """DELETE /users/:id/picture, for administrators."""
    return await _delete(call, USERS, await _user_to_change(call))


async def show_picture(call: Call) -> Response:
    """GET /pictures/:key: a JPEG of 256 by 256 pixels."""
    digest = call.ids[0]
    content = await find_picture(call.context.database, digest) if _DIGEST.fullmatch(digest) else None
    if content is None:
        raise NotFound("Page not found", data={"url": call.request.url})
    return Response(200, content, b"image/jpeg", _HEADERS)


async def _put(call: Call, resource: Resource, user_id: int) -> Response:
    data = await read_limited(call.request, LARGEST, call.context.settings.body_timeout)
    if not data:
        raise Invalid.fields({"picture": "picture: the body is empty; expected a PNG, JPEG or WebP picture"})
    call.require_json_accepted()
    url = call.context.settings.public_url
    await set_picture(
        call.context.database, user_id, data, url, by_user_id=call.caller.user_id, act=act_on_user(call, user_id)
    )
    return await _shown(call, resource, user_id)


async def _delete(call: Call, resource: Resource, user_id: int) -> Response:
    await read_nothing(call)
    call.require_json_accepted()
    await remove_picture(call.context.database, user_id, act_on_user(call, user_id))
    return await _shown(call, resource, user_id)


async def _user_to_change(call: Call) -> int:
    user_id = id_in(call.ids[0])
    visible = f"SELECT EXISTS (SELECT FROM users t WHERE t.id = $2 AND ({USERS.visible}))"
    if not await call.context.database.fetchval(visible, call.caller.user_id, user_id):
        raise NotFound.record(call.ids[0])
    if not call.caller.is_admin:
        raise Forbidden("Only administrators change the picture of another user; your own is at /me/picture")
    return user_id


async def _shown(call: Call, resource: Resource, user_id: int) -> Response:
    sql = record_sql(resource, (), resource.keys_for(call.caller, ()))
    row = await call.context.database.fetchrow(sql, call.caller.user_id, user_id)
    if row is None or row["record"] is None:
        raise NotFound.record(user_id)
    return Response(200, row["record"].encode())
