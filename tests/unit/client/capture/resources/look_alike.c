/* Two GPUs for tests: the calls of NVIDIA's management library that Lineal makes, by their published signatures. The second tells
   less, as older and split ones do. LOOK_ALIKE_PID is on the first. */
#include <stdlib.h>
#include <string.h>

typedef int Return;
typedef void *Device;
enum { SUCCESS = 0, INVALID = 2, NOT_SUPPORTED = 3 };
static int devices[2];

Return nvmlInitWithFlags(unsigned flags) { return SUCCESS; }
Return nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(Return code) { return "look-alike"; }
Return nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return SUCCESS; }
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device *device) {
    if (index > 1) return INVALID;
    devices[index] = (int)index;
    *device = &devices[index];
    return SUCCESS;
}
static int of(Device device) { return *(int *)device; }
Return nvmlDeviceGetName(Device device, char *name, unsigned size) {
    strncpy(name, of(device) ? "Look-Alike T4" : "Look-Alike H100 80GB", size);
    return SUCCESS;
}
Return nvmlDeviceGetUUID(Device device, char *uuid, unsigned size) {
    strncpy(uuid, of(device) ? "GPU-bbbb" : "GPU-aaaa", size);
    return SUCCESS;
}
struct Memory { unsigned long long total, free, used; };
Return nvmlDeviceGetMemoryInfo(Device device, struct Memory *memory) {
    memory->total = 80ULL << 30;
    memory->used = (of(device) ? 1ULL : 20ULL) << 30;
    memory->free = memory->total - memory->used;
    return SUCCESS;
}
struct Rates { unsigned gpu, memory; };
Return nvmlDeviceGetUtilizationRates(Device device, struct Rates *rates) {
    if (of(device)) return NOT_SUPPORTED;
    rates->gpu = 75;
    rates->memory = 10;
    return SUCCESS;
}
Return nvmlDeviceGetPowerUsage(Device device, unsigned *milliwatts) {
    if (of(device)) return NOT_SUPPORTED;
    *milliwatts = 360000;
    return SUCCESS;
}
Return nvmlDeviceGetTemperature(Device device, int sensor, unsigned *celsius) { *celsius = 61 - of(device); return SUCCESS; }
Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long *millijoules) { return NOT_SUPPORTED; }
struct Process { unsigned pid; unsigned long long memory; unsigned gpu_instance, compute_instance; };
Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, struct Process *processes) {
    const char *pid = getenv("LOOK_ALIKE_PID");
    if (of(device) || !pid) { *count = 0; return SUCCESS; }
    if (*count < 1 || !processes) { *count = 1; return 7; /* too small */ }
    memset(processes, 0, sizeof *processes);
    processes->pid = (unsigned)atoi(pid);
    *count = 1;
    return SUCCESS;
}
