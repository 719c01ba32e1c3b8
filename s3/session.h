// One client's connection, from accept to close.
#pragma once

#include "s3/service.h"
#include "s3/task.h"
#include "s3/worker.h"

namespace amphora::s3 {

// Serves `socket` on `worker`'s thread until it ends; never throws. Counted in service.connections
// by whoever starts it; takes itself off at its end.
Task<void> ServeConnection(Socket socket, Worker& worker, Service& service);

}  // namespace amphora::s3
