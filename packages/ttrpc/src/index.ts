export { type ConnectTtrpcOptions, connectTtrpc, type TtrpcConnection } from './client/connect-ttrpc.ts'
export { type ImplementedService, implementService } from './server/implement-service.ts'
export { createTtrpcServer, type TtrpcServer } from './server/ttrpc-server.ts'
