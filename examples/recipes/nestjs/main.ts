// A microservice of NestJS, and a client that asks it.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { connect, listen } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, type Observable, range, toArray } from 'rxjs';
import { RxsockClient, RxsockServer } from './transporter.js';

@Controller()
class Numbers {
  @MessagePattern('sum')
  sum(numbers: number[]): number {
    return numbers.reduce((sum, number) => sum + number, 0);
  }

  @MessagePattern('count')
  count(to: number): Observable<number> {
    return range(1, to);
  }

  @EventPattern('note')
  note(text: string): void {
    console.log('note', text);
  }
}

@Module({ controllers: [Numbers] })
class App {}

const server = listen({ port: Number(process.env.PORT ?? 0) });
const app = await NestFactory.createMicroservice(App, {
  strategy: new RxsockServer(server),
  logger: ['error', 'warn'],
});
await app.listen();

const { port } = server.address!;
const client = new RxsockClient(() => connect({ port }));
await lastValueFrom(client.emit('note', 'hello'), { defaultValue: undefined });
console.log('sum', await firstValueFrom(client.send('sum', [1, 2, 3])));
console.log('count', await lastValueFrom(client.send('count', 3).pipe(toArray())));
await firstValueFrom(client.send('product', 2)).catch((error) => console.log('product', error));
await client.close();
await app.close();
