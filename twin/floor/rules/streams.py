"""What is decided: the stream word of every address on the floor.

Adding one at the end leaves every other draw alone; a number is never reused.
"""

(
    INTERVAL,
    LINES,
    OPENING,
    UPLINK,
    FEEDBACK,
    SERVICE_TIME,
    UPLINK_TRIP,
    CLOUD,
    REPORT_PHASE,
    ITEM,
    ITEM_SYMBOLOGY,
    TRIGGER_TIME,
    EVENT_ID,
    PLACE,
    GATEWAY_CLOCK,
    IDENTITY,
    FADE,
    MISSES,
    RECONNECT,
    CONNECT,
    CONNECT_FAILURE,
    SWAP,
    PACE,
    WRONG_BARCODE,
    END_FORGOTTEN,
    ACKNOWLEDGEMENT,
    ORDER,
) = range(1, 28)
