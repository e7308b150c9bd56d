"""Run by a device's Flower node for each message: the device's own code, whatever it was sent.

Flower would unpack the app that the server sends and run the client in it. Here the app is neither
unpacked nor run: whatever the server's app says, a message is answered by `overt.federated.answer`
as it is installed on this device.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from overt.federated.answer import answer
from overt.federated.own import Own
from overt.federated.plan import Plan, plan_from
from overt.schema.errors import OvertError, Refused

DEVICE = "OVERT_FEDERATED_DEVICE"
"""Environment variable with the folder of the device's vault."""


def reply(message: Any, context: Any) -> Any:
    """Return the answer to a message of the server; an error never carries captured data."""
    from flwr.app import Error, Message

    try:
        return _reply(message, context)
    except OvertError as error:
        return Message(Error(code=1, reason=str(error)), reply_to=message)
    except Exception:  # noqa: BLE001 - what it says might hold events, and would go to the server
        return Message(Error(code=1, reason="this device could not answer"), reply_to=message)


def _reply(message: Any, context: Any) -> Any:
    from flwr.app import Message, RecordDict
    from flwr.client.mod import secaggplus_mod
    from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS
    from flwr.compat.common import recorddict_compat as compat

    if message.metadata.message_type == "query":
        return Message(RecordDict(), reply_to=message)

    def fit(asked: Any, _context: Any) -> Any:
        return Message(_fitted(compat, asked, secure=secure), reply_to=asked)

    secure = RECORD_KEY_CONFIGS in message.content.config_records
    if secure:
        check_masks(message.content.config_records[RECORD_KEY_CONFIGS])
        return secaggplus_mod(message, context, fit)
    return fit(message, context)


def check_masks(asked: Any) -> None:
    """Raise `Refused` unless more than half of the devices are needed to take a mask off.

    With fewer, a server could ask one half for one kind of share and the other for the other.
    """
    if "threshold" in asked:
        shares, needed = asked["share_num"], asked["threshold"]
        if not (type(shares) is int and type(needed) is int and shares < 2 * needed):
            raise Refused("half of the devices could take a mask off", where="threshold")


def check_promised(plan: Plan, *, secure: bool) -> None:
    """Raise `Refused` where an answer would go by itself that a plan says goes into a sum."""
    if plan.secure and not secure:
        raise Refused("was promised as a sum and is asked for by itself", where="step")


def _fitted(compat: Any, message: Any, *, secure: bool) -> Any:
    from flwr.common import Code, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays

    asked = compat.recorddict_to_fitins(message.content, keep_input=True)
    plan = plan_from(str(asked.config["plan"]))
    check_promised(plan, secure=secure)
    own = Own(Path(os.environ[DEVICE]))
    try:
        (weights,) = parameters_to_ndarrays(asked.parameters)
        run = str(message.metadata.run_id)
        made = answer(plan, own, run, int(asked.config["step"]), weights)
    finally:
        own.close()
    # One example, always: how many there are is the device's own affair.
    result = FitRes(Status(Code.OK, ""), ndarrays_to_parameters([made]), 1, {})
    return compat.fitres_to_recorddict(result, keep_input=True)


def main() -> None:
    """Answer one message, in the place of Flower's `flwr-clientapp`."""
    from flwr.supernode.cli.flwr_clientapp import flwr_clientapp
    from flwr.supernode.runtime import run_clientapp as flower

    here: Any = flower
    here.install_from_fab = lambda *_args, **_kwargs: None
    here.get_load_client_app_fn = lambda **_kwargs: lambda *_names: reply
    flwr_clientapp()


if __name__ == "__main__":
    main()
