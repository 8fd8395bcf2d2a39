"""The floor: workers, scanners, BLE, gateways and uplink, in two engines that give one trace."""
