"""What is decided: the stream word of every address on the mesh.

Adding one at the end leaves every other draw alone; a number is never reused. They are above those
of the floor, so that no entity's luck on the one is its luck on the other.
"""

(
    SHADOWING,
    FADING,
    SENDING_OFFSET,
    RECEIVING_OFFSET,
    DIRECTION,
    METER,
    EXPOSURE,
    WEATHER,
    JITTER,
    RECEPTION,
    REPLY,
    POSITION,
    BACKOFF,
    ACKNOWLEDGEMENT,
    VOLTAGE,
    DEFECT,
) = range(1001, 1017)
