"""What lies on disk: keyring, control database, segments of sealed rows, sealed artefacts.

Nothing here is written in the clear. The keyring is the only place of keys and pseudonyms;
everything else carries random row ids. Only `overt.gateway` opens sealed rows for anyone.
"""
